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

// fixedKeys are those that cannot be another: what they do hangs on which it is.
var fixedKeys = []string{"1-9", "arrows", "left right", "tab", "esc"}

// canMove says whether another key can stand for a binding.
func (b Binding) canMove() bool { return !slices.Contains(fixedKeys, b.ID) }

// keyNames are the keys that have a name of more than one character.
var keyNames = []string{
	"space", "tab", "enter", "backspace", "delete", "insert", "home", "end", "pgup", "pgdown", "up", "down", "left", "right",
	"f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
}

// Changes says what keys do that do something else by default: X does what K did.
type Changes map[string]string

// Add reads one change, given as K=X. Of two changes of one key the first counts.
func (c *Changes) Add(all []Binding, text string) error {
	// The key = is one too.
	i := strings.Index(text, "=")
	if i == 0 {
		i = strings.Index(text[1:], "=") + 1
	}
	if i <= 0 {
		return errors.New("it must be K=X, for X to do what K does")
	}
	from, to := text[:i], strings.TrimSpace(text[i+1:])
	if !slices.ContainsFunc(all, func(k Binding) bool { return k.canMove() && k.ID == from }) {
		return fmt.Errorf("there is no key %q that another can stand for: ? shows all keys", from)
	}
	if !isKey(to) {
		return fmt.Errorf("%q is no key: it must be a character, ctrl+ or alt+ with one, or one of %s", to, strings.Join(keyNames, ", "))
	}
	if *c == nil {
		*c = Changes{}
	}
	if _, given := (*c)[from]; !given {
		(*c)[from] = to
	}
	return nil
}

// isKey says whether a terminal can send a key of that name.
func isKey(name string) bool {
	for _, with := range []string{"ctrl+", "alt+", "shift+"} {
		name = strings.TrimPrefix(name, with)
	}
	r, size := utf8.DecodeRuneInString(name)
	return slices.Contains(keyNames, name) || size == len(name) && unicode.IsGraphic(r) && !unicode.IsSpace(r) && canvas.Sanitize(name) == name
}

// Apply returns all keys as they are bound. Two of a view may not be the same.
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
				return nil, fmt.Errorf("%s is the key for %q already: give that another one too", pressed, keys[j].Help().Desc)
			}
		}
	}
	return keys, nil
}

// Keys returns keys as they are bound, which Check has found to be possible.
func (c Changes) Keys(all []Binding) []Binding {
	keys, err := c.Apply(all)
	if err != nil {
		return all
	}
	return keys
}
