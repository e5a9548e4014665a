// Package undo computes the commands that turn one set of faults into another. It is
// pure: it reads states and returns commands of the command language; the screen
// runs them.
package undo
