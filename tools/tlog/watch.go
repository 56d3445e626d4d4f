// Watches a running Ledgerline with the Go project's own transparency-log library, the one that Go's checksum database is
// checked with. Nothing of ours is in it: signatures are opened by sumdb/note, tiles, proofs and roots by sumdb/tlog.
//
//	watch -url http://127.0.0.1:8080 -key log-signing.pub -state seen.txt [-token TOKEN] [-records N]
//
// It opens /checkpoint with the operator's public key, proves that the tree only grew since the checkpoint that it saw
// last (kept in the state file), reads every tile that the tree needs, and proves each record into the root; with a token
// for /tile/entries it hashes the events themselves. Status 0: all holds. 1: the log is not what was signed. 69: no answer.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is that of C2SP tlog-tiles: 256 hashes.
const tileHeight = 8

type unavailable struct{ error }

func main() {
	url := flag.String("url", "", "where the HTTP API answers, without /v1")
	key := flag.String("key", "", "the log's verifier key, a file")
	state := flag.String("state", "", "the checkpoint that was seen last, a file; written when all holds")
	token := flag.String("token", "", "a token that may read /tile/entries; without one leaf hashes are proven, not events")
	records := flag.Int64("records", 0, "how many records to prove, spread evenly (default: all)")
	flag.Parse()
	if *url == "" || *key == "" {
		flag.Usage()
		os.Exit(64)
	}
	report, err := watch(&server{url: *url, token: *token}, *key, *state, *records)
	if err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		if errors.As(err, &unavailable{}) {
			os.Exit(69)
		}
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(report)
}

type report struct {
	Origin  string `json:"origin"`
	Size    int64  `json:"size"`
	Root    string `json:"root_hash"`
	Grew    int64  `json:"grew_from"`
	Records int64  `json:"records_proven"`
	Events  int64  `json:"events_hashed"`
	Tiles   int    `json:"tiles_read"`
}

func watch(log *server, keyPath, statePath string, records int64) (*report, error) {
	text, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyPath, err)
	}
	signed, err := log.get("/checkpoint")
	if err != nil {
		return nil, err
	}
	tree, err := open(signed, verifier)
	if err != nil {
		return nil, fmt.Errorf("/checkpoint: %w", err)
	}
	// It proves tiles against the signed root; every proof made of them is checked all the same, because of a tile whose
	// parents share one tile it may hand out one that it has not proven (x/mod 0.7.0).
	hashes := tlog.TileHashReader(tree, log)
	result := &report{Origin: verifier.Name(), Size: tree.N, Root: tree.Hash.String()}

	if statePath != "" {
		if result.Grew, err = grew(statePath, tree, verifier, hashes); err != nil {
			return nil, err
		}
	}
	if err := proveRecords(log, tree, hashes, records, result); err != nil {
		return nil, err
	}
	result.Tiles = log.tiles
	if statePath != "" {
		if err := os.WriteFile(statePath+".new", signed, 0o644); err != nil {
			return nil, err
		}
		if err := os.Rename(statePath+".new", statePath); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// open checks the note's signature and reads the three lines of a tlog-checkpoint.
func open(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("it is of %q, the key is of %q", lines[0], verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// grew proves that what was seen last is the beginning of what is there now.
func grew(path string, tree tlog.Tree, verifier note.Verifier, hashes tlog.HashReader) (int64, error) {
	seen, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	old, err := open(seen, verifier)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	if tree.N < old.N {
		return 0, fmt.Errorf("the log was rolled back: %d events, %d were signed before", tree.N, old.N)
	}
	if old.N == 0 {
		return 0, nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return 0, fmt.Errorf("no proof from %d to %d events: %w", old.N, tree.N, err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return 0, fmt.Errorf("history was rewritten between %d and %d events: %w", old.N, tree.N, err)
	}
	return old.N, nil
}

func proveRecords(log *server, tree tlog.Tree, hashes tlog.HashReader, records int64, result *report) error {
	step := int64(1)
	if records > 0 && records < tree.N {
		step = tree.N / records
	}
	var bundle [][]byte
	first := int64(-1)
	for n := int64(0); n < tree.N; n += step {
		stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil {
			return fmt.Errorf("event %d: %w", n+1, err)
		}
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err != nil {
			return fmt.Errorf("event %d: %w", n+1, err)
		}
		leaf := stored[0]
		if log.token != "" {
			if n>>tileHeight != first {
				if bundle, err = log.entries(tree.N, n>>tileHeight); err != nil {
					return fmt.Errorf("event %d: %w", n+1, err)
				}
				first = n >> tileHeight
			}
			leaf = tlog.RecordHash(bundle[n&(1<<tileHeight-1)])
			result.Events++
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("event %d is not the one that was signed: %w", n+1, err)
		}
		result.Records++
	}
	return nil
}

// server is a tlog.TileReader over HTTP. Tiles that were proven are kept; C2SP leaves the height out of Go's path.
type server struct {
	url, token string
	kept       map[tlog.Tile][]byte
	tiles      int
}

func (s *server) Height() int { return tileHeight }

func (s *server) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, isKept := s.kept[tile]
		if !isKept {
			var err error
			if data, err = s.get("/tile" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d", tileHeight))); err != nil {
				return nil, err
			}
			s.tiles++
		}
		all = append(all, data)
	}
	return all, nil
}

func (s *server) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	if s.kept == nil {
		s.kept = map[tlog.Tile][]byte{}
	}
	for i, tile := range tiles {
		s.kept[tile] = data[i]
	}
}

// entries reads the bundle beside a tile of leaf hashes: each event's length in two bytes, then the event.
func (s *server) entries(size, index int64) ([][]byte, error) {
	tile := tlog.Tile{H: tileHeight, L: 0, N: index, W: 1 << tileHeight}
	if end := size - index<<tileHeight; end < 1<<tileHeight {
		tile.W = int(end)
	}
	data, err := s.get("/tile/entries" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/0", tileHeight)))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for len(data) >= 2 {
		length := int(data[0])<<8 | int(data[1])
		if len(data) < 2+length {
			break
		}
		all = append(all, data[2:2+length])
		data = data[2+length:]
	}
	if len(data) != 0 || len(all) != tile.W {
		return nil, fmt.Errorf("the bundle has %d entries and %d bytes more, the tile %d hashes", len(all), len(data), tile.W)
	}
	return all, nil
}

func (s *server) get(path string) ([]byte, error) {
	request, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		return nil, err
	}
	if s.token != "" && strings.HasPrefix(path, "/tile/entries") {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, unavailable{err}
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 32<<20))
	if err != nil {
		return nil, unavailable{err}
	}
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("GET %s answers %s", path, answer.Status)
	}
	return data, nil
}
