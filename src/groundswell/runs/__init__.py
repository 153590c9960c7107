"""The river, end to end: take in, assess, publish. Thin: judgement is in core, tables are in engine."""
