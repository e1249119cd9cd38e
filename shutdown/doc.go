// Package shutdown takes a program down in order.
package shutdown
