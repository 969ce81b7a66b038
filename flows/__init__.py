"""When things happen: the scheduled flows of a trading day, and their deployments."""
