# The app for a container at home and for a Space: an ordinary user, port 8501, no state of its own.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 user
USER 1000
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1
WORKDIR /home/user/app

# The list alone first: the layer with the packages stays as it is while only the app changes.
COPY --chown=user requirements.txt ./
RUN pip install --no-cache-dir --user -r requirements.txt
COPY --chown=user . .

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
# Inside a container the server has to listen on every interface; who reaches it is said by `docker run -p 127.0.0.1:…`.
# A shared server answers to any name. At home only this computer's own names are let in, or those of SKILL_FACTORY_HOSTS.
# A serverAddress: without one Streamlit asks a public host for the address of this machine.
CMD ["sh", "-c", "case \"${SPACE_ID:-}${SKILL_FACTORY_HOSTED:-}\" in ''|0|no|false|off) hosts=\"${SKILL_FACTORY_HOSTS:-localhost}\";; *) hosts='*';; esac; exec streamlit run serve.py --server.port=8501 --server.address=0.0.0.0 --server.headless=true --browser.serverAddress=localhost --server.allowedHosts=\"$hosts\" --server.allowedHosts=127.0.0.1"]
