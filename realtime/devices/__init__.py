"""Where sound enters and leaves: PortAudio devices, simulated ones, one card or two."""
