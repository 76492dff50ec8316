// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"go/ast"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// serviceFolders lists services/*.
func serviceFolders(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(top, "services", "*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no services: %v", err)
	}
	for i := range folders {
		folders[i] = "services/" + filepath.Base(folders[i])
	}
	return folders
}

func TestServicesExportTheSameNames(t *testing.T) {
	t.Parallel()
	want := []string{"Config", "Config.Validate", "DefaultConfig", "New", "Service", "Service.Run"}
	all := sources(t)
	for _, folder := range serviceFolders(t) {
		var got []string
		for _, s := range all {
			if s.dir() == folder && !s.isTest() {
				got = append(got, exported(s.file)...)
			}
		}
		// Ready and Detail feed /readyz where a service has something to say about it; weir decode
		// has its decoders from decode's settings.
		also := []string{"Service.Ready", "Service.Detail", "Config.Decoders"}
		got = slices.DeleteFunc(got, func(name string) bool { return slices.Contains(also, name) })
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: exports %v, want %v", folder, got, want)
		}
	}
}

// exported lists the exported names of a file, methods after their type.
func exported(f *ast.File) []string {
	var names []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if receiver := receiverName(d); receiver != "" {
				name = receiver + "." + name
			}
			if d.Name.IsExported() && ast.IsExported(name) {
				names = append(names, name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				for _, name := range specNames(spec) {
					if name.IsExported() {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

func receiverName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return "generic"
}

func specNames(spec ast.Spec) []*ast.Ident {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{spec.Name}
	case *ast.ValueSpec:
		return spec.Names
	default:
		return nil
	}
}

func TestServicesHaveTheSameFiles(t *testing.T) {
	t.Parallel()
	all := files(t)
	for _, folder := range serviceFolders(t) {
		main := folder + "/cmd/" + filepath.Base(folder) + "/main.go"
		for _, want := range []string{folder + "/doc.go", folder + "/config.go", folder + "/service.go", folder + "/metrics.go", main} {
			if !slices.Contains(all, want) {
				t.Errorf("%s is missing", want)
			}
		}
	}
}

func TestDockerfilesDifferInTheServiceOnly(t *testing.T) {
	t.Parallel()
	service := regexp.MustCompile(`(?m)^ARG SERVICE=\w+$`)
	var first, firstFolder string
	all := files(t)
	for _, folder := range serviceFolders(t) {
		if !slices.Contains(all, folder+"/Dockerfile") {
			continue
		}
		text := read(t, folder+"/Dockerfile")
		if !strings.Contains(text, "ARG SERVICE="+filepath.Base(folder)+"\n") {
			t.Errorf("%s/Dockerfile: does not build its service", folder)
		}
		text = service.ReplaceAllString(text, "ARG SERVICE=")
		if first == "" {
			first, firstFolder = text, folder
		}
		if text != first {
			t.Errorf("%s/Dockerfile differs from %s/Dockerfile in more than the service", folder, firstFolder)
		}
	}
}
