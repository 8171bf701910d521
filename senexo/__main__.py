"""`python -m senexo`: the same as the command `senexo`."""

from senexo.app.cli import main

if __name__ == "__main__":
    main()
