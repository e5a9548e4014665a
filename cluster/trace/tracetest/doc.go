// Package tracetest generates events for the tests of package trace and of the packages
// below it. Only tests import it.
package tracetest
