/** Processes and threads that an agent may have where nobody says otherwise. */
export const USUAL_PROCESSES = 4096;
