"""The prediction service of the default setup: a documented model behind the HTTP contract."""
