//! The reader of Ichor, the multipart parser in front of it and the assessment of what was read, from their own
//! source files and nothing else of it: the networks behind would take most of a fuzz build, and are not what strangers' bytes reach.

// Some of these serve the measuring of what the network finds.
#[allow(dead_code, unused_imports)]
#[path = "../src"]
mod reader {
    pub mod assess;
    pub mod decode;
    pub mod error;
    pub mod http {
        pub mod multipart;
    }
    pub mod series;
    pub mod slice;
    pub mod window;
}
pub use reader::*;
