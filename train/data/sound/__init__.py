"""Sound prepared for training: loudness, noise, augmentation."""
