"""The local stack: the servers that the product starts for itself, and stops again."""
