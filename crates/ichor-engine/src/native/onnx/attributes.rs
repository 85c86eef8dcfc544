//! Attributes of a node. Each is asked for by name; one that nobody asked for is a refusal, as it
//! may change what the operator means.

use super::super::messages::{AttributeProto, NodeProto};
use super::Refusal;
use std::cell::RefCell;

/// The attributes of one node that are not yet asked for.
pub(super) struct Attributes<'a> {
    left: RefCell<Vec<&'a AttributeProto>>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(node: &'a NodeProto) -> Self {
        Self { left: RefCell::new(node.attribute.iter().collect()) }
    }

    fn take(&self, name: &str) -> Option<&'a AttributeProto> {
        let mut left = self.left.borrow_mut();
        let place = left.iter().position(|a| a.name == name)?;
        Some(left.swap_remove(place))
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.take(name).map_or(default, |a| a.i)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.take(name).map_or(default, |a| a.f)
    }

    pub(super) fn integers(&self, name: &str) -> Option<&'a [i64]> {
        self.take(name).map(|a| a.ints.as_slice())
    }

    /// A text, compared with those that are known by the caller.
    pub(super) fn text(&self, name: &str, default: &'static str) -> &'a str {
        self.take(name).map_or(default, |a| std::str::from_utf8(&a.s).unwrap_or_default())
    }

    /// Two positive numbers, rows before columns.
    pub(super) fn pair(&self, name: &str, default: [usize; 2]) -> Result<[usize; 2], Refusal> {
        let Some(numbers) = self.integers(name) else { return Ok(default) };
        let small = |&n: &i64| usize::try_from(n).ok().filter(|n| (1..=1024).contains(n));
        match numbers.iter().map(small).collect::<Option<Vec<_>>>().as_deref() {
            Some(&[rows, columns]) => Ok([rows, columns]),
            _ => Err(Refusal::new(format!("has {name} that are not two small numbers"))),
        }
    }

    /// Leaves out attributes that do not matter to what is asked.
    pub(super) fn ignore(&self, names: &[&str]) {
        self.left.borrow_mut().retain(|a| !names.contains(&a.name.as_str()));
    }

    /// Says whether all were asked for.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        match self.left.into_inner().first() {
            None => Ok(()),
            Some(_) => Err(Refusal::new("has an attribute that is not known")),
        }
    }
}
