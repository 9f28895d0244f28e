//! The end: limits are held, what is missing is named, items are made.

use std::sync::Arc;

use super::board::Board;
use super::keep::Draft;
use super::{GatherOptions, Gathered};
use crate::collect::{CollectError, caps};
use crate::item::{CollectReport, FellOut, Item, LeftOut, Reason, SourceReport};
use crate::progress::count;

impl Board<'_> {
    /// Holds the limits and makes items of what was found.
    pub(super) fn finish(mut self, options: &GatherOptions<'_>) -> Result<Gathered, CollectError> {
        if self.context.running.is_stopped() {
            return Err(CollectError::Stopped);
        }
        self.leave_unwanted();
        self.drop_doubles();
        if options.paths.is_empty() && !self.context.metadata_only {
            self.hold_limits();
        }
        self.name_missing();
        let report = self.report(options);
        let Self { drafts, left_out, kept, would_run, progress, context, .. } = self;
        let kept = Arc::new(kept);
        let mut items: Vec<Item> = drafts.into_iter().map(|draft| draft.into_item(&kept)).collect();
        items.sort_by(|one, other| one.path.cmp(&other.path));
        let mut left_out: Vec<LeftOut> = left_out.into_iter().map(|(_, left_out)| left_out).collect();
        left_out.sort_by(|one, other| (&one.path, one.reason).cmp(&(&other.path, other.reason)));
        left_out.dedup();
        progress.end(&format!("{}, {} left out", count(items.len() as u64, "item"), left_out.len()));
        let would_give_more = context.metadata_only && !would_run.is_empty();
        if !would_give_more && items.iter().all(|item| item.size == 0) {
            return Err(CollectError::Empty { left_out });
        }
        Ok(Gathered { items, left_out, report, would_run })
    }

    fn leave_unwanted(&mut self) {
        let unwanted = self.unwanted;
        let (kept, unwanted): (Vec<Draft>, Vec<Draft>) =
            self.drafts.drain(..).partition(|draft| !unwanted(draft.path.as_str()));
        self.drafts = kept;
        for draft in unwanted {
            self.leave_out(draft.source, draft.path.as_str().to_owned(), Reason::ByProfile, 0);
        }
    }

    /// Of what two sources gave under one path the first stays.
    fn drop_doubles(&mut self) {
        self.drafts.sort_by(|one, other| (&one.path, one.source).cmp(&(&other.path, other.source)));
        self.drafts.dedup_by(|later, first| later.path == first.path);
    }

    fn hold_limits(&mut self) {
        let limits = self.context.limits.clone();
        for (number, state) in self.sources.iter().enumerate() {
            let limit = state.rule.limit.unwrap_or(limits.source);
            let of_source = |draft: &Draft| draft.source == number;
            let fallen = caps::hold(&mut self.drafts, limit, &of_source, &|_| false, &self.kept, &self.context.window);
            self.fell_out.extend(fallen);
        }
        let low = |draft: &Draft| self.sources[draft.source].rule.low;
        let fallen = caps::hold(&mut self.drafts, limits.total, &|_| true, &low, &self.kept, &self.context.window);
        self.fell_out.extend(fallen);
        for (source, fallen) in &self.fell_out {
            if fallen.reason == Reason::OverLimit && !fallen.in_part && !fallen.path.contains('!') {
                self.left_out.push((*source, LeftOut { path: fallen.path.clone(), reason: fallen.reason }));
            }
        }
    }

    /// What a source should have given and did not is missing, and not just absent.
    fn name_missing(&mut self) {
        for (number, state) in self.sources.iter().enumerate() {
            if !state.rule.required || self.drafts.iter().any(|draft| draft.source == number) {
                continue;
            }
            let absent = |reason| matches!(reason, Reason::NotThere | Reason::NotInstalled);
            self.left_out.retain(|(source, left_out)| *source != number || !absent(left_out.reason));
            if self.left_out.iter().all(|(source, _)| *source != number) {
                self.left_out.push((number, LeftOut { path: state.rule.name.clone(), reason: Reason::Missing }));
            }
        }
    }

    fn report(&self, options: &GatherOptions<'_>) -> CollectReport {
        let mut sources: Vec<SourceReport> = self
            .sources
            .iter()
            .map(|state| SourceReport {
                kind: state.word.to_owned(),
                name: state.rule.name.clone(),
                items: 0,
                bytes: 0,
                milliseconds: u64::try_from(state.took.as_millis()).unwrap_or(u64::MAX),
                status: state.status,
            })
            .collect();
        for draft in &self.drafts {
            sources[draft.source].items += 1;
            sources[draft.source].bytes += draft.size;
        }
        let mut fell_out: Vec<FellOut> = self.fell_out.iter().map(|(_, fell_out)| fell_out.clone()).collect();
        fell_out.sort_by(|one, other| (&one.path, one.reason).cmp(&(&other.path, other.reason)));
        let profile = options.paths.is_empty().then(|| options.profile.0.to_owned());
        let Self { context, .. } = self;
        CollectReport { profile, since: context.window.since, until: context.window.until, sources, fell_out }
    }
}
