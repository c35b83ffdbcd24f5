"""The thresholds of gate G2, in thousandths, as a calibration on real patents set them."""

from dataclasses import dataclass

from generator.record.judgement import Coherence


@dataclass(frozen=True, slots=True)
class Calibration:
    """`id` names it in judgements. A disclosure has at most `antecedent_share`, and at least each of the others."""

    id: str
    antecedent_share: int
    cohesion: int
    title_support: int
    abstract_support: int

    def refuses(self, coherence: Coherence) -> str:
        """The reason why gate G2 refuses a disclosure so measured, or an empty string."""
        if coherence.antecedent_share > self.antecedent_share:
            return "antecedents"
        for name in ("cohesion", "title_support", "abstract_support"):
            if getattr(coherence, name) < getattr(self, name):
                return name
        return ""
