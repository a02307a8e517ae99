"""From probabilities to notes: what is struck, what sounds, how far it is bent.

Everything is arithmetic over pitches with a state, without a branch, so that it is part of a graph.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS = ("onset", "active", "level", "bend")
OVERTONES = (12, 19, 24, 28, 31)  # semitones of the harmonics 2 to 6
MEMORY = 3  # hops before this one in which a lower note's onset counts
QUIET = 4  # hops without activity after which a note ends
YOUNG = 14.0  # hops in which a note may still turn out to be a harmonic of another
BESIDE, FADES = 0.3, 0.8  # activity of a neighbour that counts; what is left of it after a hop
FEW = 2.5  # notes at once, below which sound may be one voice that glides
NEAR, SLOW, SOUNDS = 0.4, 0.1, 0.6  # semitones from the pitch, and a hop; activity: it stays there
SURELY = 1.01  # more than the surest stroke
TRACE = 0.05  # activity of what came by a glide
AGAIN = 0.2  # onset probability that a pitch which rings needs more to be struck again at once
WAITS = 2.0  # hops that it waits otherwise, to hear whether the stroke was another's
AT_ONCE, RIVALS = 0.85, 0.2  # onset probability that needs no second hop; that of another: doubt
CONFIRMS = 0.5  # onset probability that whatever waited needs to be a note
SLOWEST = 17  # pitches, from the lowest, that take long enough without
RINGS = 0.9  # what is left of that a hop after the note's end
STAYS = 7.0  # hops after which a pitch where a glide stays is a note


class Decoder(nn.Module):
    """Probabilities to notes, one hop a step.

    Parameters
    ----------
    lowest, pitches : int

    Attributes
    ----------
    settings : ndarray-like [5], float32
        Onset probability that fires; the part added to it while nothing was struck; activity below
        which a note counts as quiet; how sure a note must be to sound beside a lower one of which
        it is a harmonic; activity below which a young note gives way to such a one.
    """

    def __init__(self, lowest: int, pitches: int) -> None:
        super().__init__()
        self.state_shape = (MEMORY + 15, pitches)
        self.register_buffer("settings", torch.tensor([0.6, 0.1, 0.3, 0.9, 0.5]))
        here = torch.arange(pitches)
        apart = here[None, :] - here[:, None]  # [lower, higher]
        above = sum((apart == k).float() for k in OVERTONES)
        self.register_buffer("above", above, persistent=False)
        related = ((above + above.T) > 0).float()
        self.register_buffer("related", related, persistent=False)
        others = (apart != 0).float() * (here >= SLOWEST)[:, None]
        self.register_buffer("others", others, persistent=False)

    def forward(
        self, heads: Tensor, struck: Tensor, level: Tensor, gliding: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """``heads [b, pitches, 4], struck, level, gliding [b, 1] -> notes [b, 4, pitches]``, new
        state.

        With `gliding` 0 every onset is a note. With 1, a pitch a semitone beside one that sounds is
        passed by a glide, and is a note once the glide stays there; between, the surer something
        was struck, the sooner it is a note all the same.  A stroke shakes what rings, too: a pitch
        that rings and is not surely struck again waits, and is a note unless another becomes one.
        In the first hop of a stroke pitches are taken for one another: where another may be meant,
        an onset that is not sure is a note a hop later if it holds.
        """
        threshold, extra, quiet, sure, young = self.settings.unbind()
        onset, active = torch.sigmoid(heads[:, :, 0]), torch.sigmoid(heads[:, :, 1])
        velocity = heads[:, :, 2].clamp(0.02, 1.0)
        bent = heads[:, :, 3].clamp(-1.0, 1.0)
        (
            recent,
            (
                spent,
                on,
                silent,
                age,
                settled,
                bend,
                loud,
                hit,
                lately,
                came,
                still,
                was,
                rings,
                waits,
                doubted,
            ),
        ) = (
            state[:, :MEMORY],
            state[:, MEMORY:].unbind(dim=1),
        )
        hit = torch.maximum(torch.sigmoid(struck).expand_as(hit), 0.85 * hit)
        best = torch.maximum(onset, recent.amax(dim=1))
        below = (best.unsqueeze(2) * self.above).amax(dim=1)  # the surest lower note
        lately = torch.maximum(active, FADES * lately)
        beside = torch.maximum(F.pad(lately, (1, 0))[:, :-1], F.pad(lately, (0, 1))[:, 1:])
        alone = on.sum(dim=1, keepdim=True) < FEW
        passed = (beside > BESIDE) & alone & (hit < SURELY * gliding)
        rings = torch.maximum(on, RINGS * rings)
        needed = threshold + extra * (1.0 - hit)
        own = (spent < 0.5) & ~passed & ((best > below) | (onset > sure))
        another = (onset.unsqueeze(1) * self.others).amax(dim=2)
        holds = own & (doubted > 0.5) & (onset > CONFIRMS)
        may = own & (onset > needed)
        surely = onset > needed + AGAIN * rings
        clear = (onset > AT_ONCE) | (another < RIVALS)
        doubted = (may & surely & ~clear & (doubted < 0.5)).float()
        calm = (bent.abs() < NEAR) & ((bent - was).abs() < SLOW) & (active > SOUNDS) & (on < 0.5)
        came = torch.maximum(passed.float(), came) * (active > TRACE).float()
        still = (still + 1.0) * (calm & (came > 0.5)).float()
        lower = (torch.maximum(active, on).unsqueeze(2) * self.above).amax(dim=1)
        stays = (still >= STAYS) & (lower < BESIDE)
        fire = ((may & surely & clear) | holds | stays).float()
        asked = ((waits > 0.5) | (may & ~surely)).float() * (1.0 - fire)
        waits = (waits + 1.0) * asked * (1.0 - fire.amax(dim=1, keepdim=True))
        late = ((waits > WAITS) & (onset > CONFIRMS)).float()
        fire, waits = torch.maximum(fire, late), waits * (waits <= WAITS).float()
        # a young note ends where the one it belongs to is struck after it; that one then stays
        told = (fire.unsqueeze(2) * self.related).amax(dim=1)
        wrong = on * told * ((age < YOUNG) & (settled < 0.5) & (active < young)).float()
        rights = (wrong.unsqueeze(2) * self.related).amax(dim=1) * fire
        settled = torch.maximum(settled * (1.0 - fire), rights)
        spent = torch.where(onset < 0.5 * threshold, torch.zeros_like(spent), spent)
        spent = torch.maximum(spent, torch.maximum(fire, asked))
        silent = (silent + 1.0) * (active < quiet).float() * (1.0 - fire)
        alive = on * (1.0 - wrong) * (silent < QUIET).float()
        on = torch.maximum(fire, alive)
        age = (age + 1.0).clamp(max=1000.0) * (1.0 - fire)
        bend = on * torch.where(fire > 0.5, bent, bend + 0.3 * (bent - bend))
        loud = loud + 0.4 * (level - loud)
        notes = torch.stack([fire * velocity, on, loud, bend], dim=1)
        kept = [spent, on, silent, age, settled, bend, loud, hit, lately, came, still, bent, rings]
        kept += [waits, doubted]
        return notes, torch.cat(
            [recent[:, 1:], onset.unsqueeze(1), torch.stack(kept, dim=1)], dim=1
        )
