//! Plans to make tickets of, and what every ticket must be.

pub(crate) mod checks;
pub(crate) mod plans;
