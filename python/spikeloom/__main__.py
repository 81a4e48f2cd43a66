"""`python -m spikeloom` is the command `spikeloom`."""

from spikeloom.cli import main

if __name__ == "__main__":
    main()
