-- One migration at a time.
LOCK TABLE tally.schema_version IN EXCLUSIVE MODE
