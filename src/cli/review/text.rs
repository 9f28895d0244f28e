//! The review as text: the same as the page, line by line.

use super::Review;

impl Review {
    /// All of it.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.title.clone(), "For your eyes: lines marked \"before\" hold personal data.".into()];
        if !self.redacted {
            lines.push("WITHOUT redaction: the snapshot holds personal data as it was.".into());
        }
        let heading = |lines: &mut Vec<String>, text: &str| lines.extend([String::new(), text.to_uppercase()]);
        heading(&mut lines, "What it is");
        lines.extend(self.facts.iter().map(|(name, value)| format!("  {name}: {value}")));
        heading(&mut lines, "What was replaced");
        if self.totals.is_empty() {
            lines.push("  Nothing was found.".into());
        }
        lines.extend(self.totals.iter().map(|row| format!("  {:<18} {}", row.name, row.says)));
        heading(&mut lines, "Before and after");
        for group in &self.samples {
            lines.push(format!("  {}", group.category));
            for sample in &group.list {
                lines.push(format!("    {}", sample.place));
                let value = if sample.hidden { format!("({})", sample.value) } else { format!("»{}«", sample.value) };
                lines.push(format!("      before: {}{value}{}", sample.left, sample.right));
                lines.push(format!("      after:  {}»{}«{}", sample.left, sample.stand_in, sample.right));
            }
        }
        heading(&mut lines, "What is in it");
        lines.extend(self.files.iter().map(|file| format!("  {:>10}  {}  ({})", file.size, file.path, file.findings)));
        lines.extend(
            self.more_files.iter().map(|more| format!("  And {more}, all of them in the snapshot's manifest.")),
        );
        heading(&mut lines, "What is not in it");
        if self.left_out.is_empty() {
            lines.push("  Nothing was left out.".into());
        }
        lines.extend(self.left_out.iter().map(|row| format!("  {}   {}", row.name, row.says)));
        lines.extend(
            self.more_left_out.iter().map(|more| format!("  And {more}, all of them in the snapshot's manifest.")),
        );
        if !self.aside.is_empty() {
            heading(&mut lines, "Words that are replaced only beside a key");
            lines.extend(self.aside.iter().map(|one| format!("  {}   {}, {}", one.value, one.category, one.reason)));
            lines.extend(self.more_aside.iter().map(|more| format!("  And {more}.")));
        }
        heading(&mut lines, "How it was redacted");
        lines.push(format!("  profile {}: {}", self.profile.name, self.profile.title));
        lines.extend(self.profile.purpose.iter().map(|purpose| format!("  purpose: {purpose}")));
        for (category, action, changed) in &self.profile.actions {
            let changed = if *changed { " (set by the profile)" } else { "" };
            lines.push(format!("  {category:<18} {action}{changed}"));
        }
        lines.extend(self.profile.rules.iter().map(|rule| format!("  {}   {}", rule.name, rule.says)));
        lines
    }
}
