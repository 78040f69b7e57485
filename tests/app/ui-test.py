#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole program through the accessibility bus: sample, configure, Optimize, undo, export, save, crash, reopen; and an audit:
no control without a name on any page, in any dialog or popover.

usage: run-ui.sh bus ui-test.py PATH-OF-espalier PATH-OF-espalier-cli        (needs gir1.2-atspi-2.0, python3-gi, xdotool)

The sample is a small one, written into the cache beforehand: making the full one takes longer than all that is tested here.

Nothing here waits a fixed time: whatever is asked for is asked again until it is so or the (generous) time is over.
"""
import os, re, shutil, subprocess, sys, time

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

program, cli, home, n = sys.argv[1], sys.argv[2], os.environ['HOME'], 0
os.environ.pop('GTK_A11Y', None)
LONG = 900  # seconds for work; a loaded machine is slow
SHORT = 120  # seconds for the window to answer


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


def has(node, state):
    return node.get_state_set().contains(state)


def nodes(role=None, name=None, root=None):
    for node in walk(root or application()):
        try:
            if (role is None or node.get_role_name() == role) and (name is None or name in (node.get_name() or '')) and has(node, Atspi.StateType.VISIBLE):
                yield node
        except Exception:  # gone since
            continue


def find(role, name, root=None):
    return next(nodes(role, name, root), None)


def wait(what, seconds=SHORT):
    end, pause = time.time() + seconds, 0.1
    while time.time() < end:
        found = what()
        if found:
            return found
        time.sleep(pause)
        pause = min(pause * 1.5, 2)  # whoever is asked too often has no time to work
    return None


def act(node):
    """Presses a control; a menu button is pressed by the button within it."""
    for target in walk(node):
        action = target.get_action_iface()
        if action is not None and action.get_n_actions() > 0:
            action.do_action(0)
            return True
    return False


def set_value(node, value):
    node.get_value_iface().set_current_value(value)


def click(role, name, seconds=SHORT):
    node = wait(lambda: find(role, name), seconds)
    assert node is not None, f'no {role} called {name}'
    act(node)
    return node


def says(text):
    return next(nodes('label', text), None) is not None or next(nodes('heading', text), None) is not None


def keys(*words):
    subprocess.run(['xdotool', 'key', '--clearmodifiers', *words], check=True)


def press_until(key, so, seconds=SHORT):
    """Presses a key again where it was lost, as happens while a window is being mapped."""
    end = time.time() + seconds
    while time.time() < end:
        keys(key)
        if wait(so, 15):
            return True
    return False


def ok(condition, what):
    global n
    n += 1
    print(('ok' if condition else 'not ok'), n, '-', what, flush=True)
    if not condition:
        if shutil.which('import') and 'ESPALIER_TEST_PICTURES' in os.environ:
            subprocess.run(['import', '-window', 'root', os.path.join(os.environ['ESPALIER_TEST_PICTURES'], f'failed-{n}.png')])
        process.kill()
        print(f'1..{n}')
        sys.exit(1)


CONTROLS = ('push button', 'toggle button', 'slider', 'spin button', 'combo box', 'check box', 'radio button', 'switch', 'entry', 'text',
            'password text', 'menu item', 'check menu item', 'radio menu item', 'page tab', 'link', 'table', 'tree table', 'list', 'list box',
            'image', 'progress bar', 'dialog', 'frame', 'alert')
PARTS = ('spin button', 'combo box', 'push button', 'toggle button', 'entry', 'scroll bar', 'text')


def unnamed(root=None):
    bad = []
    for node in nodes(root=root):
        try:
            role, name, parent = node.get_role_name(), (node.get_name() or '').strip(), node.get_parent()
            if role not in CONTROLS or (name and not re.match('(Gtk|Adw|App)[A-Z]', name)):
                continue
            above = parent.get_role_name() if parent is not None else ''
            focusable = node.get_state_set().contains(Atspi.StateType.FOCUSABLE)
            if above in PARTS or (role == 'page tab' and parent.get_child_count() == 1) or (role == 'list' and above in ('table', 'tree table')) or (role in ('image', 'list', 'list box', 'alert', 'table') and not focusable):
                continue  # a part of a control that has a name; a picture that only decorates
            bad.append(f'{role} "{name}" in {above} "{parent.get_name() if parent else ""}"')
        except Exception:
            continue
    return bad


def audit(where, root=None, platform=False):
    """Windows that GTK and libadwaita build themselves (shortcuts, About, the frame of Preferences) hold parts that only they can name:
    those go by their types' names. What has no name at all is ours."""
    bad = [node for node in unnamed(root) if not platform or not re.search('"(Gtk|Adw)[A-Z]', node.split(' in ')[0])]
    ok(bad == [], f'no unnamed control {where} ' + '; '.join(bad[:6]))


def dialog():
    """The window on top of the first one, if any."""
    root = application()
    tops = [root.get_child_at_index(i) for i in range(root.get_child_count())] if root is not None else []
    tops = [top for top in tops if top is not None and (has(top, Atspi.StateType.SHOWING) or has(top, Atspi.StateType.MODAL))]
    return tops[-1] if len(tops) > 1 else None


def audit_popover(button, item, what):
    opener = wait(lambda: find('toggle button', button) or find('push button', button))
    inside = lambda: next(nodes(None, item, opener), None)  # a popover is a part of what opens it
    act(opener)
    ok(wait(inside), f'{what} opens')
    audit(f'in {what}', opener)
    ok(press_until('Escape', lambda: inside() is None), f'{what} closes with Escape')


def audit_window(opens, what, said, platform=False):
    opens()
    ok(wait(lambda: dialog() is not None and next(nodes(None, said, dialog()), None)), f'{what} opens')
    audit(f'in {what}', dialog(), platform)
    ok(press_until('Escape', lambda: dialog() is None), f'{what} closes with Escape')


def menu(item):
    """The main menu by keyboard, then the item by its name."""
    press_until('F10', lambda: find('menu item', item))
    act(find('menu item', item))


def type_path(path):
    """Into the file chooser: its entry takes a path."""
    keys('ctrl+a')
    subprocess.run(['xdotool', 'type', '--delay', '15', path], check=True)
    keys('Return')


def choose(path, done):
    """Answers a file chooser until the file is there."""
    end = time.time() + SHORT * 2
    wait(lambda: dialog() is not None, 60)
    while time.time() < end and not done():
        if dialog() is not None:
            type_path(path)
            if not wait(done, 5):
                for name in ('Select', 'Save'):
                    button = find('push button', name, dialog()) if dialog() is not None else None
                    if button is not None:
                        act(button)
        wait(done, 10)
    return done()


def start(*arguments):
    return subprocess.Popen([program, *arguments], stderr=subprocess.DEVNULL)


sample = os.path.join(os.environ['XDG_CACHE_HOME'], 'espalier', 'sample')
subprocess.run([cli, 'sample', '--quiet', '--jets', '4000', '--epochs', '10', '--output', sample, 'jets'], check=True, stdout=subprocess.DEVNULL)
process = start()
try:
    ok(wait(application, SHORT) is not None, 'the program is on the accessibility bus')
    ok(wait(lambda: find('push button', 'Try the Sample')), 'the first window offers the sample')
    audit('at the start')
    click('push button', 'Try the Sample')
    ok(wait(lambda: says('(Test)'), LONG), 'the sample is opened and judged')
    ok(wait(lambda: says('This Is the Network')), 'the first run is introduced')
    click('push button', 'Next')
    ok(wait(lambda: says('Weights Share Hardware')), 'the introduction goes on')
    click('push button', 'Close the Introduction')
    for i, page in enumerate(['Network', 'Weights', 'Trade-off', 'Precision', 'Hardware', 'Data'], 1):
        keys(f'alt+{i}')
        ok(wait(lambda: any(has(tab, Atspi.StateType.SELECTED) for tab in nodes('page tab', page))), f'the page {page} shows')
    audit('on any page')  # pages that were shown once stay in the tree
    keys('alt+1')
    audit_popover('Figure Menu', 'Copy', 'the menu of a figure')
    audit_popover('History', 'Open network', 'the history')
    audit_popover('Main Menu', 'Preferences', 'the main menu')
    audit_window(lambda: keys('ctrl+comma'), 'Preferences', 'Threads', platform=True)
    audit_window(lambda: keys('ctrl+question'), 'the shortcuts', 'Undo', platform=True)
    audit_window(lambda: menu('About'), 'About', 'Espalier', platform=True)
    audit_window(lambda: keys('F1'), 'the help', 'Every box is a layer')
    audit_window(lambda: keys('ctrl+Return'), 'the choices of Optimize', 'Start')

    click('push button', 'Optimize')
    ok(wait(lambda: dialog() is not None and find('spin button', 'Tolerance', dialog())), 'the button Optimize asks for its choices')
    set_value(find('spin button', 'Tolerance', dialog()), 2)
    set_value(find('spin button', 'Steps at most', dialog()), 6)
    ok(wait(lambda: find('spin button', 'Tolerance', dialog()).get_value_iface().get_current_value() == 2), 'tolerance and steps are set')
    act(find('push button', 'Start', dialog()))  # of this window: a closed one may still be known to the bus
    ok(wait(lambda: dialog() is None), 'Optimize starts')
    ok(wait(lambda: says('Run 1, step'), LONG), 'Optimize ends and its best step is shown')
    ok(wait(lambda: says('(−')), 'DSPs are saved')
    keys('ctrl+z')
    ok(wait(lambda: says('As loaded') and not says('Run 1, step')), 'undo brings back the network as loaded')
    keys('ctrl+shift+z')
    ok(wait(lambda: says('Run 1, step')), 'redo brings back the run')

    autosave = os.path.join(os.environ['XDG_STATE_HOME'], 'espalier', 'autosave')
    kept = lambda: [name for name in (os.listdir(autosave) if os.path.isdir(autosave) else []) if name.endswith('.espalier')]
    ok(wait(kept, SHORT), 'unsaved work is kept')
    process.kill()
    process.wait()
    process = start()
    ok(wait(lambda: dialog() is not None and find('push button', 'Recover', dialog())), 'after a crash its recovery is offered')
    audit('in the question of recovery', dialog())
    act(find('push button', 'Recover', dialog()))
    ok(wait(lambda: says('Run 1, step'), LONG), 'and the run is back')
    keys('ctrl+w')
    ok(wait(lambda: dialog() is not None and find('push button', 'Discard', dialog())), 'closing asks for what is not saved')
    audit('in the question of closing', dialog())
    ok(press_until('Escape', lambda: dialog() is None), 'and can be taken back')

    target = os.path.join(home, 'hls')
    os.makedirs(target)
    keys('ctrl+e')
    ok(choose(target, lambda: os.path.exists(os.path.join(target, 'firmware'))), 'the HLS project is written')
    project = os.path.join(home, 'run.espalier')
    keys('ctrl+s')
    ok(choose(project, lambda: os.path.exists(project)), 'the project is saved')
    ok(wait(lambda: says('Project saved') or dialog() is None), 'and the window says so')
    ok(press_until('ctrl+q', lambda: process.poll() is not None) and process.returncode == 0, 'quit ends the program')

    process = start(project)
    ok(wait(lambda: application() is not None and says('Run 1, step'), LONG), 'the project reopens with its run')
    keys('ctrl+w')
    ok(wait(lambda: process.poll() is not None) and process.returncode == 0, 'and closes without a question')

    print(f'1..{n}')
finally:
    if process.poll() is None:
        process.kill()
