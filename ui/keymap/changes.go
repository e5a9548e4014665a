package keymap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"

	"capsize/ui/canvas"
)

// fixedKeys cannot be rebound: what they do depends on which of their keys was pressed.
var fixedKeys = []string{"1-9", "arrows", "left right", "tab", "esc"}

// canMove reports whether a binding can have another key.
func (b Binding) canMove() bool { return !slices.Contains(fixedKeys, b.ID) }

// keyNames are the keys whose names have more than one character.
var keyNames = []string{
	"space", "tab", "enter", "backspace", "delete", "insert", "home", "end", "pgup", "pgdown", "up", "down", "left", "right",
	"f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
}

// Changes maps a key, as the help shows it, to the key that replaces it.
type Changes map[string]string

// Add parses one change, written K=X: X does what K did. The first change of a key
// wins.
func (c *Changes) Add(all []Binding, text string) error {
	// The key = can be rebound too.
	i := strings.Index(text, "=")
	if i == 0 {
		i = strings.Index(text[1:], "=") + 1
	}
	if i <= 0 {
		return errors.New("must be K=X: X does what K does")
	}
	from, to := text[:i], strings.TrimSpace(text[i+1:])
	if !slices.ContainsFunc(all, func(k Binding) bool { return k.canMove() && k.ID == from }) {
		return fmt.Errorf("no key %q can be rebound: ? lists the keys", from)
	}
	if !isKey(to) {
		return fmt.Errorf("%q is not a key: use a character, ctrl+ or alt+ and a character, or one of %s", to, strings.Join(keyNames, ", "))
	}
	if *c == nil {
		*c = Changes{}
	}
	if _, given := (*c)[from]; !given {
		(*c)[from] = to
	}
	return nil
}

// isKey reports whether a terminal can send a key of that name.
func isKey(name string) bool {
	for _, with := range []string{"ctrl+", "alt+", "shift+"} {
		name = strings.TrimPrefix(name, with)
	}
	r, size := utf8.DecodeRuneInString(name)
	return slices.Contains(keyNames, name) || size == len(name) && unicode.IsGraphic(r) && !unicode.IsSpace(r) && canvas.Sanitize(name) == name
}

// Apply returns the bindings with their new keys. It fails if two bindings of one view
// then have the same key.
func (c Changes) Apply(keys []Binding) ([]Binding, error) {
	keys = slices.Clone(keys)
	moved := map[int]bool{}
	for i := range keys {
		to, ok := c[keys[i].ID]
		if !ok || !keys[i].canMove() {
			continue
		}
		moved[i] = true
		keys[i].Binding = key.NewBinding(key.WithKeys(to), key.WithHelp(to, keys[i].Help().Desc))
	}
	for i := range moved {
		pressed := keys[i].Keys()[0]
		for j := range keys {
			if i != j && slices.Contains(keys[j].Keys(), pressed) && slices.Equal(keys[i].In, keys[j].In) {
				return nil, fmt.Errorf("%s already does %q: rebind that key too", pressed, keys[j].Help().Desc)
			}
		}
	}
	return keys, nil
}

// Keys is Apply for changes that Options.Check has validated.
func (c Changes) Keys(all []Binding) []Binding {
	keys, err := c.Apply(all)
	if err != nil {
		return all
	}
	return keys
}
