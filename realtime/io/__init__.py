"""Where sound enters and leaves: ring, callback, PortAudio devices, simulated device, files."""
