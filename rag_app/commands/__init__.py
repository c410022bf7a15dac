"""The subcommands of `rag`, one file each: add_arguments(parser) and run(arguments, settings) -> exit code."""
