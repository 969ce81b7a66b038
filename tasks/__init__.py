"""Thin Prefect tasks: a name, retries, a timeout, and one call into runtime/."""
