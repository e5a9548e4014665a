// Package scenario is the command language: what a key stands for, what one
// types at the prompt, what a scenario file says, and what a saved session
// holds.
//
// A command is declared once, in one of the tables of commands_*.go: its words,
// its help, how it is read and what it does. [Parse] reads a file as a whole and
// runs nothing of it if there is a mistake; [ParseLine] reads a single line. A
// [Run] carries a script out on a cluster, inside virtual time.
package scenario
