"""A Jupyter server for tests: Debian's, on a port and in a folder of its own. Python it runs is Debian's too."""
import json, os, signal

from harness import *


class Jupyter(Service):
    """token or password: how one signs in; neither: nobody is asked."""

    def __init__(self, token='', password=''):
        self.port, self.folder = free_port(), Folder('webui-jupyter-', None)
        self.url = f'http://127.0.0.1:{self.port}'
        python = '/usr/bin/python3'
        hashed = ''
        if password:
            made = subprocess.run([python, '-c', 'import sys; from jupyter_server.auth import passwd; print(passwd(sys.argv[1], algorithm="sha1"))', password],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if made.returncode:
                raise Missing('Python has no jupyter_server: ' + made.stderr.decode()[-300:])
            hashed = made.stdout.decode().strip()
        env = {'PATH': '/usr/bin:/bin', 'HOME': self.folder.path, 'JUPYTER_RUNTIME_DIR': self.folder.path + '/run', 'LANG': 'C.UTF-8'}
        config = {'ServerApp': {'token': token, 'password': hashed, 'allow_root': True, 'open_browser': False, 'port': self.port, 'ip': '127.0.0.1',
                                'port_retries': 0, 'iopub_data_rate_limit': 1e12, 'root_dir': self.folder.path}}
        with open(self.folder.path + '/config.json', 'w') as f:
            json.dump(config, f)
        self.spawn('jupyter', [python, '-m', 'jupyter_server', '--config', self.folder.path + '/config.json'], env, self.folder.path)
        self.headers = {'Authorization': 'token ' + token} if token else {}
        wait_until(lambda: answers(self.port, '/api'), 60, 'the Jupyter server', self.process)

    def kernels(self):
        return Client(self.url).get('/api/kernels', headers=self.headers).json()

    def stop(self):
        try:
            self.end(signal.SIGTERM, 15)
        finally:
            self.folder.remove()
