"""The shell: connects the core to the broker, the prediction source, the database and the clock."""
