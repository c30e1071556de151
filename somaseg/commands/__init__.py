"""The verbs of the command line, a module each: `add_to(verbs)` defines flags, `run(options)` calls a function."""
