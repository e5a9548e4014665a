// Package keymap holds the keys: what a [Binding] is, which bindings mean something in
// a view, and how a user binds other keys.
//
// There is one list of bindings, made by ui from its own keys and those of the views.
// The help, the footer, the README's table and the flag --bind all come from it. A
// binding's Do runs in Update and returns at once.
package keymap
