"""The verbs, one file each: its documentation is the help, ``arguments`` and ``command`` are the verb."""

__all__: list[str] = []
