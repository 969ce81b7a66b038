"""The record of everything: the local journal, which is the truth, and the Postgres tables that people query."""
