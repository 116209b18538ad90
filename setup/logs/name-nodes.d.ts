/** A line of `docker compose logs` with the name of the node in place of its number: `betty         | …`. The rest stays as it is. */
export declare function nameNode(line: string): string;
