"""Compares answers of a node with docs/api.yaml.

usage: openapi.py api.yaml answers.json

answers.json is an array of objects: method, path (below the API's location,
with its version), status, type, and body if there was one.  What differs is
one line each; so is each path of the contract that nobody has asked for.
"""

import json
import re
import sys
import warnings

# later versions want another one, Debian's have only this

warnings.filterwarnings('ignore', category=DeprecationWarning)

import jsonschema               # noqa: E402
import yaml                     # noqa: E402


def template(path):
    pattern = re.sub(r'\\\{\w+\\\}', '[^/]+', re.escape(path))
    return re.compile(pattern + '/?$')


def plain(path):
    """without version and arguments; the location itself is "/" """

    path = path.split('?')[0]
    return re.sub(r'^/[1-9](?=/|$)', '', path) or '/'


def find(paths, path):
    """the template with the fewest variables"""

    found = [t for t in paths if template(t).match(path)]
    return min(found, key=lambda t: t.count('{'), default=None)


def main():
    with open(sys.argv[1]) as file:
        contract = yaml.safe_load(file)
    with open(sys.argv[2]) as file:
        answers = json.load(file)

    faults = []
    asked = set()
    paths = contract['paths']

    resolver = jsonschema.RefResolver('', contract)

    for answer in answers:
        what = '%s %s: %s' % (answer['method'], answer['path'],
                              answer['status'])
        known = find(paths, plain(answer['path']))

        if known is None:
            if answer['status'] != 404:
                faults.append(what + ': the contract has no such path')
                continue
            operation = {'responses': {}}
        else:
            operation = paths[known].get(answer['method'].lower())

            if operation is None:
                if answer['status'] != 405:
                    faults.append(what + ': the contract has no such method')
                    continue
                operation = {'responses': {}}

            if answer['status'] < 400:
                asked.add((known, answer['method'].lower()))

        responses = operation['responses']

        if answer['status'] >= 400:
            response = contract['components']['responses']['Error']
        else:
            response = responses.get(str(answer['status']))

        if response is None:
            faults.append(what + ': the contract has no such status')
            continue

        while '$ref' in response:
            response = resolver.resolve(response['$ref'])[1]

        content = response.get('content')

        if not content:
            if 'body' in answer:
                faults.append(what + ': a body, where none should be')
            continue

        if answer['type'] not in content:
            faults.append(what + ': is of type "%s"' % answer['type'])
            continue

        validator = jsonschema.Draft202012Validator(
            content[answer['type']]['schema'], resolver=resolver)

        for error in validator.iter_errors(answer.get('body')):
            leaf = jsonschema.exceptions.best_match([error])
            faults.append('%s: %s: %s' % (
                what, '/'.join(map(str, leaf.absolute_path)) or 'the answer',
                leaf.message[:300]))

    for path, methods in paths.items():
        for method, operation in methods.items():
            if method in ('get', 'post', 'patch', 'put', 'delete') \
                    and (path, method) not in asked \
                    and not operation.get('x-not-asked'):
                faults.append('%s %s: nobody has asked' % (method, path))

    jsonschema.Draft202012Validator.check_schema(
        {'$defs': contract['components']['schemas']})

    for fault in sorted(set(faults)):
        print(fault)


main()
