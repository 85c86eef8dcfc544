//! Attributes of a node. An attribute that is not read is an error, because it may change the meaning of the operator.

use super::super::messages::{AttributeProto, NodeProto};
use super::LoadError;
use std::cell::RefCell;

/// The attributes of one node that have not been read yet.
pub(super) struct Attributes<'a> {
    unread: RefCell<Vec<&'a AttributeProto>>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(node: &'a NodeProto) -> Self {
        Self { unread: RefCell::new(node.attribute.iter().collect()) }
    }

    fn take(&self, name: &str) -> Option<&'a AttributeProto> {
        let mut unread = self.unread.borrow_mut();
        let index = unread.iter().position(|a| a.name == name)?;
        Some(unread.swap_remove(index))
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

    /// A string; empty if it is not UTF-8.
    pub(super) fn string(&self, name: &str, default: &'static str) -> &'a str {
        self.take(name).map_or(default, |a| std::str::from_utf8(&a.s).unwrap_or_default())
    }

    /// Two integers from 1 to 1024, rows before columns.
    pub(super) fn pair(&self, name: &str, default: [usize; 2]) -> Result<[usize; 2], LoadError> {
        let Some(values) = self.integers(name) else { return Ok(default) };
        let small = |&n: &i64| usize::try_from(n).ok().filter(|n| (1..=1024).contains(n));
        match values.iter().map(small).collect::<Option<Vec<_>>>().as_deref() {
            Some(&[rows, columns]) => Ok([rows, columns]),
            _ => {
                Err(LoadError::new(format!("has {name} that are not two integers from 1 to 1024")))
            }
        }
    }

    /// Marks attributes without effect on the result as read.
    pub(super) fn ignore(&self, names: &[&str]) {
        self.unread.borrow_mut().retain(|a| !names.contains(&a.name.as_str()));
    }

    /// Checks that all attributes were read.
    pub(super) fn finish(self) -> Result<(), LoadError> {
        match self.unread.into_inner().first() {
            None => Ok(()),
            Some(_) => Err(LoadError::new("has an unsupported attribute")),
        }
    }
}
