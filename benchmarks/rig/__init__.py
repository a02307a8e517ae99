"""What measurements are made with: devices, loads, contenders, processes."""
