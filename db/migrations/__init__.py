"""The history of the tables, applied by db.migrate."""
