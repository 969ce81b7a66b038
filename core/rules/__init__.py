"""The rules that a prediction must pass, in the order of SEMANTICS 5; each returns the refusal or None."""
