//! `evaluate`: scores a model on a labelled data set.

use super::models::load_one;
use super::{progress_bar, progress_of};
use crate::config::EvaluateArgs;
use crate::embedded::Embedded;
use crate::error::{Error, Result};
use crate::evaluate::{EvaluationOptions, Resolution, evaluate};

pub(super) fn evaluate_dataset(args: EvaluateArgs, embedded: &Embedded) -> Result<()> {
    let models = load_one(&args.model_dir, embedded, args.model.as_deref())?;
    let bar = progress_bar(0);
    let resolution = if args.grid { Resolution::Grid } else { Resolution::Image };
    let options = EvaluationOptions { resolution, series: !args.alone };
    let output = args.output.as_deref();
    let model = models.default_model();
    let figures = evaluate(&args.dataset, model, options, output, progress_of(&bar))?;
    bar.finish_and_clear();
    if args.json {
        let json =
            serde_json::to_string_pretty(&figures).map_err(|e| Error::Internal(e.to_string()))?;
        println!("{json}");
    } else {
        println!("{figures}");
    }
    Ok(())
}
