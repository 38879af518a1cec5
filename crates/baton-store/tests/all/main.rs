//! What the store promises, shown on both of its forms and on files that were damaged, filled up, shared and killed.

#[cfg(test)]
mod blobs;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod support;
