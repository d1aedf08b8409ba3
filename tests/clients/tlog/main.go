// Command tlog verifies checkpoints and proofs of Hizo's audit log with Go's
// own implementation (golang.org/x/mod/sumdb), which nobody here wrote.
//
//	tlog checkpoint KEY < NOTE
//	tlog inclusion KEY ENTRY < TLOG-PROOF     ENTRY in hex
//	tlog consistency KEY OLDER-NOTE-FILE HASH... < NEWER-NOTE     hashes in hex
//
// It ends with 0 if it accepts what it is given, with 4 if not.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// head opens a checkpoint that the verifier key signed.
func head(key, text string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("no checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

func inclusion(key, entry, proof string) error {
	parts := strings.SplitN(proof, "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("no tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var hashes tlog.RecordProof
	for _, line := range lines[2:] {
		bytes, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(bytes) != tlog.HashSize {
			return errors.New("no hash")
		}
		var hash tlog.Hash
		copy(hash[:], bytes)
		hashes = append(hashes, hash)
	}
	tree, err := head(key, parts[1])
	if err != nil {
		return err
	}
	bytes, err := hex.DecodeString(entry)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(bytes))
}

func consistency(key, older string, proof []string, newer string) error {
	text, err := os.ReadFile(older)
	if err != nil {
		return err
	}
	before, err := head(key, string(text))
	if err != nil {
		return err
	}
	after, err := head(key, newer)
	if err != nil {
		return err
	}
	var hashes tlog.TreeProof
	for _, digits := range proof {
		bytes, err := hex.DecodeString(digits)
		if err != nil || len(bytes) != tlog.HashSize {
			return errors.New("no hash")
		}
		var hash tlog.Hash
		copy(hash[:], bytes)
		hashes = append(hashes, hash)
	}
	return tlog.CheckTree(hashes, after.N, after.Hash, before.N, before.Hash)
}

func run(args []string, in string) error {
	switch {
	case len(args) == 2 && args[0] == "checkpoint":
		_, err := head(args[1], in)
		return err
	case len(args) == 3 && args[0] == "inclusion":
		return inclusion(args[1], args[2], in)
	case len(args) >= 3 && args[0] == "consistency":
		return consistency(args[1], args[2], args[3:], in)
	}
	return errors.New("usage: tlog checkpoint|inclusion|consistency KEY ...")
}

func main() {
	in, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = run(os.Args[1:], string(in))
	}
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(4)
	}
	fmt.Println("accepted")
}
