package pane

import (
	"slices"
	"strings"

	"capsize/faults"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// FaultsInCell returns the faults of a link in at most w cells: with their settings if they
// fit, otherwise as glyphs.
func (p *Painter) FaultsInCell(set []string, w int) (string, style.Style) {
	var long, short []string
	st := style.Warn
	for _, fault := range set {
		glyph, setting, faultStyle := LinkFaultGlyph(p.Glyphs, canvas.Sanitize(fault))
		long, short = append(long, glyph+" "+setting), append(short, glyph)
		if faultStyle == style.Bad {
			st = style.Bad | style.Bold
		}
	}
	if text := strings.Join(long, " "); canvas.Width(text) <= w {
		return text, st
	}
	return strings.Join(short, ""), st
}

// LinkFaultGlyph returns the glyph of a fault, its setting in a word, and its style.
func LinkFaultGlyph(g *style.Glyphs, fault string) (glyph, setting string, st style.Style) {
	words := strings.Fields(fault)
	if len(words) == 0 {
		return g.Bad, "", style.Warn
	}
	setting, st = words[0], style.Warn
	if len(words) > 1 && words[1] != "only" {
		setting = words[1]
	}
	closes := false
	switch words[0] {
	case "cut":
		glyph, closes = g.CutLink, true
	case "refuse":
		glyph, closes = g.RefuseLink, true
	case "jam":
		glyph, closes = g.JamLink, true
	case "hold":
		glyph = g.HoldLink
	case "delay":
		glyph = g.DelayLink
	case "lose":
		glyph = g.LoseLink
	case "duplicate":
		glyph = g.DuplicateLink
	case "reorder":
		glyph = g.ReorderLink
	case "bandwidth":
		glyph = g.BandwidthLink
	default:
		glyph = g.Bad
	}
	if i := slices.Index(words, "only"); i >= 0 && i+1 < len(words) {
		return glyph, words[i+1], style.Warn
	}
	if closes {
		st = style.Bad
	}
	return glyph, setting, st
}

// LinkFaultMeaning returns what a link fault does, as the command reference has it.
func LinkFaultMeaning(fault string) string {
	for _, kind := range faults.LinkFaults() {
		if FaultName(kind.String()) == FaultName(fault) {
			return kind.Meaning()
		}
	}
	return "unknown fault"
}

// DiskFaultMeaning returns what a disk fault does, as the command reference has it. A disk
// without a fault is healthy.
func DiskFaultMeaning(fault string) string {
	meaning := "healthy"
	for _, kind := range faults.DiskFaultKinds() {
		if kind.Name == fault {
			return kind.Meaning
		}
		if kind.Name == FaultName(fault) {
			meaning = kind.Meaning
		}
	}
	return meaning
}

// FaultName returns the name of a fault, without its settings.
func FaultName(fault string) string {
	word, _, _ := strings.Cut(fault, " ")
	return word
}
