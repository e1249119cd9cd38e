// Package timeline draws how a program closed its ZeroMQ contexts: a bar for
// each socket, with the steps of the close and its deadline.
//
// [Parse] reads closing reports (report.go). From these follow the phases of
// each socket (phase.go), the rows (rows.go), the axis (axis.go), and the words
// (words.go). [Chart.WriteText] draws them for a terminal (text.go),
// [Chart.WriteSVG] as a picture (svg.go).
package timeline

import (
	"bytes"
	"io"
	"os"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

// Chart is what is drawn.
type Chart struct {
	Title    string
	Subtitle string // may be empty
	Reports  []Report
}

// Draw writes a picture to a file, or to standard output if the file is "-". If
// it is "", Draw writes text for a terminal to standard output.
func (c Chart) Draw(picture string, stdout io.Writer) error {
	switch picture {
	case "":
		return c.WriteText(stdout, cli.Width(stdout), cli.Colour(stdout))
	case "-":
		return c.WriteSVG(stdout)
	}
	var svg bytes.Buffer
	if err := c.WriteSVG(&svg); err != nil {
		return err
	}
	return os.WriteFile(picture, svg.Bytes(), 0o644)
}
