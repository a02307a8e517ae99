"""Signal processing without Python on the hot path: windows, FFT, STFT, mix, dynamics, meters."""
