"""``python -m striate`` is the command line."""

from striate.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
