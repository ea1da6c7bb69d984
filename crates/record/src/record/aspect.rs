//! The list of what a cell shows, for whoever compares cells.

/// Something that a cell shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// Whether the service let the call through.
    Verdict,
    /// The status, or what came instead of one.
    Status,
    /// The gate that refused, or where a redirect leads.
    Gate,
    /// What the headers say of access.
    Headers,
    /// What a refusal tells besides.
    Also,
    /// The row changes.
    Effects,
    /// The identifiers that the response held.
    Discloses,
    /// What each follow-up request brought.
    Probes,
    /// What the fields of the body show.
    Values,
    /// The fields of the body.
    Shape,
}

impl Aspect {
    /// All of them, in their order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        std::iter::successors(Some(Self::Verdict), |aspect| aspect.next())
    }

    /// One that is added has to have its place here, and by that a method of every visitor.
    fn next(self) -> Option<Self> {
        match self {
            Self::Verdict => Some(Self::Status),
            Self::Status => Some(Self::Gate),
            Self::Gate => Some(Self::Headers),
            Self::Headers => Some(Self::Also),
            Self::Also => Some(Self::Effects),
            Self::Effects => Some(Self::Discloses),
            Self::Discloses => Some(Self::Probes),
            Self::Probes => Some(Self::Values),
            Self::Values => Some(Self::Shape),
            Self::Shape => None,
        }
    }
}

/// A question that is asked of every aspect of a cell, or of two. An aspect more is a method more, so that whoever forgets
/// one does not compile.
pub trait Visitor {
    /// What is found of one aspect.
    type Found;

    /// Of the verdict.
    fn verdict(&self) -> Self::Found;
    /// Of the status.
    fn status(&self) -> Self::Found;
    /// Of the gate.
    fn gate(&self) -> Self::Found;
    /// Of the headers.
    fn headers(&self) -> Self::Found;
    /// Of what the cell also says.
    fn also(&self) -> Self::Found;
    /// Of the rows that the call changed.
    fn effects(&self) -> Self::Found;
    /// Of the symbols that the answer disclosed.
    fn discloses(&self) -> Self::Found;
    /// Of the probes of credentials.
    fn probes(&self) -> Self::Found;
    /// Of the values of the answer.
    fn values(&self) -> Self::Found;
    /// Of the shape of the body.
    fn shape(&self) -> Self::Found;

    /// What is found of each aspect, in their order.
    fn visit(&self) -> impl Iterator<Item = Self::Found> {
        Aspect::all().map(|aspect| match aspect {
            Aspect::Verdict => self.verdict(),
            Aspect::Status => self.status(),
            Aspect::Gate => self.gate(),
            Aspect::Headers => self.headers(),
            Aspect::Also => self.also(),
            Aspect::Effects => self.effects(),
            Aspect::Discloses => self.discloses(),
            Aspect::Probes => self.probes(),
            Aspect::Values => self.values(),
            Aspect::Shape => self.shape(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names;

    impl Visitor for Names {
        type Found = &'static str;

        fn verdict(&self) -> &'static str {
            "verdict"
        }

        fn status(&self) -> &'static str {
            "status"
        }

        fn gate(&self) -> &'static str {
            "gate"
        }

        fn headers(&self) -> &'static str {
            "headers"
        }

        fn also(&self) -> &'static str {
            "also"
        }

        fn effects(&self) -> &'static str {
            "effects"
        }

        fn discloses(&self) -> &'static str {
            "discloses"
        }

        fn probes(&self) -> &'static str {
            "probes"
        }

        fn values(&self) -> &'static str {
            "values"
        }

        fn shape(&self) -> &'static str {
            "shape"
        }
    }

    #[test]
    fn each_aspect_is_asked_once() {
        let asked: Vec<&str> = Names.visit().collect();
        let expected = [
            "verdict",
            "status",
            "gate",
            "headers",
            "also",
            "effects",
            "discloses",
            "probes",
            "values",
            "shape",
        ];
        assert_eq!(asked, expected);
    }
}
