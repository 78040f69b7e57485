#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole program through the accessibility bus: sample, Optimize, undo, export, save, reopen; and an audit of names.

usage: run-ui.sh bus ui-test.py PATH-OF-espalier        (needs gir1.2-atspi-2.0, python3-gi, xdotool)
"""
import os, shutil, subprocess, sys, time

try:
    import gi
    gi.require_version('Atspi', '2.0')
    from gi.repository import Atspi
except (ImportError, ValueError) as error:
    print('1..0 # SKIP', error)
    sys.exit(0)
if shutil.which('xdotool') is None:
    print('1..0 # SKIP xdotool is not installed')
    sys.exit(0)

program, home, n = sys.argv[1], os.environ['HOME'], 0
os.environ.pop('GTK_A11Y', None)


def application():
    desktop = Atspi.get_desktop(0)
    for i in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(i)
        if child is not None and child.get_process_id() == process.pid:
            return child
    return None


def walk(node):
    if node is None:
        return
    yield node
    try:
        n_children = node.get_child_count()
    except Exception:
        return
    for i in range(n_children):
        try:
            yield from walk(node.get_child_at_index(i))
        except Exception:  # the tree may change while it is walked
            return


def find(role, name):
    root = application()
    if root is None:
        return None
    for node in walk(root):
        try:
            if node.get_role_name() == role and name in (node.get_name() or ''):
                return node
        except Exception:
            continue
    return None


def wait(what, seconds=90):
    end = time.time() + seconds
    while time.time() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    return None


def click(role, name, seconds=60):
    node = wait(lambda: find(role, name), seconds)
    assert node is not None, f'no {role} called {name}'
    node.get_action_iface().do_action(0)
    return node


def says(text):
    for node in walk(application()):
        try:
            if node.get_role_name() == 'label' and text in (node.get_name() or ''):
                return True
        except Exception:  # gone since
            continue
    return False


def keys(*words):
    subprocess.run(['xdotool', 'key', '--clearmodifiers', *words], check=True)


def ok(condition, what):
    global n
    n += 1
    print(('ok' if condition else 'not ok'), n, '-', what, flush=True)
    if not condition:
        process.kill()
        print(f'1..{n}')
        sys.exit(1)


def unnamed():
    bad = []
    for node in walk(application()):
        try:
            role, name = node.get_role_name(), node.get_name() or ''
            if role in ('push button', 'toggle button', 'image', 'slider', 'spin button', 'combo box', 'check box', 'switch') \
                    and (name.strip() == '' or name.startswith(('Gtk', 'Adw', 'App'))):
                parent = node.get_parent()
                if role == 'image' or parent is None or parent.get_role_name() in ('spin button', 'combo box', 'push button'):
                    continue
                bad.append(f'{role} "{name}" in {parent.get_role_name()} "{parent.get_name()}"')
        except Exception:
            continue
    return bad


process = subprocess.Popen([program], stderr=subprocess.DEVNULL)
try:
    ok(wait(application, 20) is not None, 'the program is on the accessibility bus')
    ok(wait(lambda: find('push button', 'Try the Sample'), 20) is not None, 'the first window offers the sample')
    audit = unnamed()
    ok(audit == [], 'no unnamed control at the start ' + '; '.join(audit))
    click('push button', 'Try the Sample')
    ok(wait(lambda: says('accuracy'), 180), 'the sample is made, opened and judged')
    audit = unnamed()
    ok(audit == [], 'no unnamed control on the page Network ' + '; '.join(audit))
    for i, page in enumerate(['weights', 'tradeoff', 'precision', 'hardware', 'data'], 2):
        keys(f'alt+{i}')
        time.sleep(0.6)
        audit = unnamed()
        ok(audit == [], f'no unnamed control on the page {page} ' + '; '.join(audit))
    click('push button', 'Optimize')
    click('push button', 'Start', 90)
    ok(wait(lambda: says('step'), 180), 'Optimize runs and a step is shown')
    ok(wait(lambda: says('Optimization finished'), 500), 'Optimize ends')
    ok(wait(lambda: says('(−'), 30), 'DSPs are saved')
    keys('ctrl+z')
    ok(wait(lambda: says('As loaded') and not says('Run 1, step'), 30), 'undo brings back the network as loaded')
    keys('ctrl+shift+z')
    ok(wait(lambda: says('Run 1, step'), 30), 'redo brings back the run')
    target = os.path.join(home, 'hls')
    os.makedirs(target)
    keys('ctrl+e')
    time.sleep(1.5)
    subprocess.run(['xdotool', 'type', '--delay', '12', target], check=True)
    time.sleep(0.5)
    keys('Return')
    time.sleep(0.5)
    if not os.path.exists(os.path.join(target, 'firmware')):
        button = find('push button', 'Select')
        if button is not None:
            button.get_action_iface().do_action(0)
    ok(wait(lambda: os.path.exists(os.path.join(target, 'firmware')), 60), 'the HLS project is written')
    project = os.path.join(home, 'run.espalier')
    keys('ctrl+s')
    time.sleep(1.5)
    keys('ctrl+a')
    subprocess.run(['xdotool', 'type', '--delay', '12', project], check=True)
    time.sleep(0.5)
    keys('Return')
    ok(wait(lambda: os.path.exists(project), 30), 'the project is saved')
    time.sleep(0.5)
    keys('ctrl+q')
    ok(wait(lambda: process.poll() is not None, 20) and process.returncode == 0, 'quit ends the program')
    process = subprocess.Popen([program, project], stderr=subprocess.DEVNULL)
    ok(wait(lambda: application() is not None and says('Run 1, step'), 60), 'the project reopens with its run')
    keys('ctrl+q')
    ok(wait(lambda: process.poll() is not None, 20) and process.returncode == 0, 'and closes without a question')
    print(f'1..{n}')
finally:
    if process.poll() is None:
        process.kill()
