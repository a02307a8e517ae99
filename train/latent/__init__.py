"""What is learnt of a latent after its training: directions, their names, and how much is used."""
