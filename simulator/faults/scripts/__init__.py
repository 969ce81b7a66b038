"""One script per case from the field: `case_01` ... `case_46`; `--faults case_08` runs one."""
