package scenario

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Reference describes one command, for people.
type Reference struct {
	Name, Syntax, Help string
	// Virtual is why the command needs virtual time, "" if it works over processes too.
	Virtual string
}

// References returns the command reference.
func References() []Reference {
	var all []Reference
	for _, d := range declarations() {
		all = append(all, Reference{Name: d.name, Syntax: d.syntax, Help: d.help, Virtual: d.virtual})
	}
	return all
}

// referenceWidth is the width of the command reference, in columns.
const referenceWidth = 80

// WriteReference writes the command reference, for a terminal of 80 columns.
func WriteReference(w io.Writer) error {
	var text strings.Builder
	for _, r := range References() {
		wrap(&text, r.Syntax, "", "    ")
		wrap(&text, r.Help, "        ", "        ")
		if r.Virtual != "" {
			wrap(&text, "not over processes: "+r.Virtual, "        ", "        ")
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// wrap writes text in lines of at most referenceWidth columns. The first line is
// indented by first, the others by rest.
func wrap(to *strings.Builder, text, first, rest string) {
	line, indent := "", first
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(indent)+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > referenceWidth {
			to.WriteString(indent + line + "\n")
			line, indent = "", rest
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	to.WriteString(indent + line + "\n")
}
