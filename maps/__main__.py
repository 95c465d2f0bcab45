"""``python -m maps``: the command where its script is not on the path."""

from maps.cli import main

main()
