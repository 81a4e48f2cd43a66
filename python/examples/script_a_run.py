"""A network by hand, on a chip that the script clocks itself: a head turns towards a clicking sound.

A cell for each lag between the ears delays the nearer ear by that lag, and fires only when both spikes meet
in one tick (Jeffress 1948). The script makes the clicks, looks at which cell answers, and turns the head.

    python python/examples/script_a_run.py
"""

from __future__ import annotations

import numpy as np
import spikeloom as sl

LAGS = np.arange(-8, 9)  # ticks by which a click reaches the left ear first
LARGEST_TURN = 3  # of the head, for each click


def place_cells() -> sl.ChipProgram:
    """Two input lines, left and right, and a cell for each of LAGS."""
    network = sl.SpikingNetwork("loihi1")
    ears = network.input("ears", 2)
    # One spike is worth 200, the threshold 300; the decays of 4095 of 4096 let a cell forget within a tick.
    cells = network.population("cells", LAGS.size, vth=300, decay_u=4095, decay_v=4095)
    delays = np.stack([np.maximum(LAGS, 0), np.maximum(-LAGS, 0)])
    network.connect(ears, cells, np.full((2, LAGS.size), 200), delays=delays)
    network.output(cells)
    return sl.place(network)


def listen(chip: sl.Chip, lag: int) -> int:
    """Let one click pass, `lag` ticks earlier at the left ear; the lag of the cell that answers."""
    answers = np.zeros(LAGS.size)
    for tick in range(2 * LAGS.size):
        left_and_right = [tick == max(-lag, 0), tick == max(lag, 0)]
        answers += chip.tick(np.array([left_and_right]))[0]
    return int(LAGS[answers.argmax()])


def main() -> None:
    chip = sl.Chip(place_cells())
    sound, head = 8, 0
    while (heard := listen(chip, sound - head)) != 0:
        turn = int(np.clip(heard, -LARGEST_TURN, LARGEST_TURN))
        print(f"the click is {heard:+d} ticks off: turning by {turn:+d}")
        head += turn
    print(f"the click is straight ahead, at {head:+d}")


if __name__ == "__main__":
    main()
